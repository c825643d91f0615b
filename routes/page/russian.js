/**
 * The Russian texts of the page, by the English text. Those of factors are in russian_factors.js, and those of the
 * administrators' views in russian_admin.js.
 *
 * A text about a number has a form for each category of Intl.PluralRules. A test finds missing and unused texts.
 */

export const texts = {
  // The frame.
  "This page requires JavaScript.": "Для этой страницы нужен JavaScript.",
  "Language": "Язык",
  "Pages": "Разделы",
  "Account": "Профиль",
  "Users": "Пользователи",
  "Status": "Состояние",
  "Settings": "Настройки",
  "Log out": "Выйти",
  "You are logged out.": "Вы вышли.",
  "Something went wrong": "Произошла ошибка",
  "Try again": "Попробовать снова",
  "Show more": "Показать ещё",
  "Cancel": "Отмена",
  "Delete": "Удалить",
  "Copied.": "Скопировано.",
  "Press Ctrl+C to copy.": "Нажмите Ctrl+C, чтобы скопировать.",
  "Close": "Закрыть",

  // Visitors.
  "Log in to {site}": "Вход на {site}",
  "Log in": "Войти",
  "Log in with a passkey": "Войти с ключом доступа",
  "Login": "Логин",
  "Password": "Пароль",
  "Register": "Зарегистрироваться",
  "Forgotten your password?": "Забыли пароль?",
  "Create an account": "Новая учётная запись",
  "You are invited to {site}.": "Вас пригласили на {site}.",
  "Letters a–z, digits and . _ - @ +; the first is a letter or digit. An email address works too.":
    "Буквы a–z, цифры и символы . _ - @ +; начинается с буквы или цифры. Подойдёт и адрес электронной почты.",
  "At least {minLength} characters of any kind. A few random words work well.":
    "Не менее {minLength} любых символов. Хорошо подойдут несколько случайных слов.",
  "Ticket": "Одноразовый код",
  "The code you were given. It works once.": "Код, который вам дали. Действует один раз.",
  "I have an account": "У меня есть учётная запись",
  "I have a ticket": "У меня есть код",
  "Registration is closed": "Регистрация закрыта",
  "Self-registration is turned off.": "Самостоятельная регистрация отключена.",
  "Set a new password": "Новый пароль",
  "Choose a new password for your account at {site}.": "Задайте новый пароль для своей учётной записи на {site}.",
  "You need a ticket from an administrator.": "Одноразовый код выдаёт администратор.",
  "New password": "Новый пароль",
  "Set password": "Сохранить пароль",
  "You are logged in": "Вы уже вошли",
  "You are logged in as {login}. To continue, log out first.":
    "Вы вошли как {login}. Чтобы продолжить, сначала выйдите.",
  "Log out and continue": "Выйти и продолжить",
  "You are registered. Log in.": "Вы зарегистрированы. Теперь войдите.",
  "The password is saved. Log in.": "Пароль сохранён. Теперь войдите.",

  // Passwords.
  "Show": "Показать",
  "Hide": "Скрыть",
  "Show password": "Показать пароль",
  "Hide password": "Скрыть пароль",
  "Good": "Хороший пароль",
  "Strong": "Надёжный пароль",
  "{count} more characters": {
    one: "Ещё {count} символ",
    few: "Ещё {count} символа",
    many: "Ещё {count} символов",
    other: "Ещё {count} символа",
  },
  "Easy to guess: {reason}.": "Легко угадать: {reason}.",
  "it contains the login": "содержит логин",
  "it contains the name of this service": "содержит название этой службы",
  "it consists of common passwords": "состоит из распространённых паролей",
  "it is a run of adjacent keys": "набран соседними клавишами",
  "it repeats itself": "состоит из повторов",
  "it is a sequence like abc or 123": "это последовательность вроде abc или 123",
  "it consists of dates": "состоит из дат",
  "it consists of years": "состоит из годов",
  "it is too short": "слишком короткий",

  // The account.
  "Your account": "Моя учётная запись",
  "To the site": "Перейти на сайт",
  "Registered": "Дата регистрации",
  "Groups": "Группы",
  "Active sessions": "Активные сеансы",
  "Log out on all devices": "Выйти на всех устройствах",
  "You are logged out on all devices.": "Вы вышли на всех устройствах.",
  "Change the password": "Смена пароля",
  "All other sessions will end.": "Все остальные сеансы завершатся.",
  "Current password": "Текущий пароль",
  "Change password": "Сменить пароль",
  "The password is changed. All other sessions have ended.": "Пароль изменён. Все остальные сеансы завершены.",
  "Delete the account": "Удаление учётной записи",
  "Your account and all your data will be permanently deleted.":
    "Учётная запись и все ваши данные будут безвозвратно удалены.",
  "Delete account…": "Удалить учётную запись…",
  "Delete your account?": "Удалить вашу учётную запись?",
  "This cannot be undone. To confirm, type your login:":
    "Это действие необратимо. Для подтверждения введите свой логин:",
  "Your login": "Ваш логин",
  "Your password": "Ваш пароль",
  "Delete account": "Удалить учётную запись",
  "Your account is deleted.": "Учётная запись удалена.",

  // Sessions.
  "This browser": "Этот браузер",
  "Logged in {created}": "Вход: {created}",
  "Last seen {seen}": "Активность: {seen}",
  "Logged in with: {factors}": "Способ входа: {factors}",
  "Sites: {sites}": "Сайты: {sites}",
  "Passkey": "Ключ доступа",
  "End": "Завершить",
  "End session: {device}, {created}": "Завершить сеанс: {device}, {created}",
  "The session has ended.": "Сеанс завершён.",
  "None.": "Нет.",
  "Unknown device": "Неизвестное устройство",

  // Problems.
  "Wrong login or password.": "Неверный логин или пароль.",
  "Wrong password.": "Неверный пароль.",
  "There is no account with this login.": "Учётной записи с таким логином нет.",
  "This is not your current password.": "Это не ваш текущий пароль.",
  "Your session has ended. Log in again.": "Сеанс завершён. Войдите снова.",
  "You do not have permission to do this.": "У вас нет прав на это действие.",
  "Log in again to confirm.": "Войдите снова для подтверждения.",
  "This requires a second factor.": "Для этого нужен второй фактор.",
  "This passkey does not work here. It may have been deleted: use another way.":
    "Этот ключ доступа не подходит. Возможно, он удалён: используйте другой способ.",
  "The login took too long. Log in again.": "Вход занял слишком много времени. Войдите снова.",
  "You need a second factor here, so the last one cannot be deleted.":
    "Второй фактор здесь обязателен, поэтому последний удалить нельзя.",
  "You have 50 passkeys and app passwords. Delete one first.":
    "У вас уже 50 ключей доступа и паролей приложений. Сначала удалите один из них.",
  "No passkey was used. Try again, or use another way.":
    "Ключ доступа не использован. Попробуйте ещё раз или выберите другой способ.",
  "This device has a passkey of this account already.": "На этом устройстве уже есть ключ доступа этой учётной записи.",
  "Passkeys do not work at this address. Open the page by its name.":
    "По этому адресу ключи доступа не работают. Откройте страницу по имени сайта.",
  "This browser cannot use the passkey. Use another way.":
    "Браузер не смог использовать ключ доступа. Выберите другой способ.",
  "This ticket is not valid: it is used, expired, or for another login.":
    "Код недействителен: он уже использован, истёк или выдан для другого логина.",
  "Registration is closed.": "Регистрация закрыта.",
  "This login is reserved: it requires an invitation.": "Этот логин зарезервирован: для него нужно приглашение.",
  "This login is taken.": "Этот логин занят.",
  "This is the last administrator. Make another user an administrator first.":
    "Это последний администратор. Сначала назначьте другого.",
  "Someone else has changed this user. Check the changes and try again.":
    "Этого пользователя изменил кто-то другой. Проверьте изменения и повторите.",
  "Not found. It may have been deleted.": "Не найдено. Возможно, уже удалено.",
  "Too many wrong attempts.": "Слишком много неудачных попыток.",
  "Too many registrations from your address.": "С вашего адреса слишком много регистраций.",
  "Too many new passwords from your address.": "С вашего адреса слишком много новых паролей.",
  "The service is busy.": "Служба перегружена.",
  "This is too long.": "Слишком длинно.",
  "The connection is too slow.": "Слишком медленное соединение.",
  "Changes are not possible now: the disk of the service failed.": "Изменения сейчас невозможны: сбой диска службы.",
  "Changes are not possible now: the disk of the service is full.":
    "Изменения сейчас невозможны: на диске службы нет места.",
  "The database of the service does not respond.": "База данных службы не отвечает.",
  "The service is starting or stopping.": "Служба запускается или останавливается.",
  "The service failed with an internal error.": "Внутренняя ошибка службы.",
  "The service cannot be reached.": "Служба недоступна.",
  "Without HTTPS the browser cannot keep you logged in. Open this page over HTTPS.":
    "Без HTTPS браузер не может сохранить вход. Откройте эту страницу по HTTPS.",
  "Without cookies the browser cannot keep you logged in. Allow the cookies of this site.":
    "Без файлов cookie браузер не может сохранить вход. Разрешите их для этого сайта.",
  "An error occurred on this page. Reload it.": "На странице произошла ошибка. Обновите её.",
  "Try again {when}.": "Попробуйте снова {when}.",

  // Fields.
  "Required.": "Обязательное поле.",
  "Only a–z, digits and . _ - @ +; the first is a letter or digit.":
    "Только a–z, цифры и символы . _ - @ +; начинается с буквы или цифры.",
  "No tabs, line breaks or other control characters.":
    "Табуляция, переводы строк и другие управляющие символы недопустимы.",
  "Too many accents on one letter.": "Слишком много диакритических знаков над одной буквой.",
  "Contains invalid characters.": "Содержит недопустимые символы.",
  "Must differ from the current password.": "Новый пароль должен отличаться от текущего.",
  "This is not your login.": "Это не ваш логин.",
  "Must have at least {count} characters.": {
    one: "Нужно не менее {count} символа.",
    few: "Нужно не менее {count} символов.",
    many: "Нужно не менее {count} символов.",
    other: "Нужно не менее {count} символа.",
  },
  "Must have at most {count} characters.": {
    one: "Не более {count} символа.",
    few: "Не более {count} символов.",
    many: "Не более {count} символов.",
    other: "Не более {count} символа.",
  },
};
